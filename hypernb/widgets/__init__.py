"""Live views of missions for notebooks, on anywidget."""
