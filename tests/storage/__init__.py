"""What every storage promises (`_async/`, and its generated twin), and what one format adds (`river/`)."""
