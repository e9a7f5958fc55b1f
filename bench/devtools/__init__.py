"""What measures this project itself."""
