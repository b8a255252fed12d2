"""Not a stage: reads problems and samples in the formats that people write them in."""
