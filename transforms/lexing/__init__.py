"""Comments and strings of source text, found in one pass by tables of how languages write them."""
