"""What people read: leaderboard.md and pictures."""
