"""The judge as a library: what it is asked, what it says, what an engine is. No Django, no Celery."""
