"""One module per page: what it shows as values, which its template puts on the screen."""
