"""What all tests share."""

from hypothesis import settings

# The first call of a kernel compiles it, which is no fault of the example.
settings.register_profile("repomill", deadline=None)
settings.load_profile("repomill")
