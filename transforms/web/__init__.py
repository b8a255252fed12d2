"""Not a stage: what is fetched over HTTP and kept, for the stages that ask servers."""
