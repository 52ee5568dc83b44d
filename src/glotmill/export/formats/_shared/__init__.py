"""What several formats share: chats, the replies to each prompt, pairs of texts."""
