"""What the engines that load or call a model share: model files, the model thread, adaptive concurrency."""
