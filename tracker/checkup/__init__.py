"""Is everything here that the program needs, and how fast is it on this machine?"""
