"""What people read: Markdown and HTML pages, tables on the terminal, pictures, TensorBoard."""
