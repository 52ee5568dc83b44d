"""What several filters share: words, scripts, numbers."""
