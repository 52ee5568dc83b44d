"""`glotmill export`: a run's rows in the formats of trainers."""
