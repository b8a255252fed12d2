"""Running samples of models against the tests of problems, and what that says of the models."""
