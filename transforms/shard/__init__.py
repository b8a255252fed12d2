"""Token ids in, shuffled and packed training sequences out."""
