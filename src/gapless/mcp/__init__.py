"""MCP: the door for language models, over standard input and output."""
