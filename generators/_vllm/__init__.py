"""Parts of the engine `vllm`: starting it, what it is asked, what it answers."""
