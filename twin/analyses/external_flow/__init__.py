"""Flow around a part in a wind tunnel. No study asks for it yet: means of what fluctuates are all that is here."""
