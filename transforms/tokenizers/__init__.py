"""Tokenizers by name, and the engines that run them."""
