"""What builds and checks the repository; not part of the package."""
