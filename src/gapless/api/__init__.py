"""Api: the HTTP door. It reads one store, beside whatever writes it, and starts runs only for who has the token."""
