"""What several filters share: likeness of texts."""
