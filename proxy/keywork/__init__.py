"""Work over keys: what is asked for (operations), who carries it out (handlers), and what both share."""
