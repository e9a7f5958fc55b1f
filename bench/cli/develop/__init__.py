"""Commands that measure this project itself."""
