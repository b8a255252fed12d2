"""Documents in, what only a lexer or a parser of their language can say about them out."""
