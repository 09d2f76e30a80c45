"""What the list of a folder of images says."""


def states(dock):
    """Name and state of each image."""
    rows = dock.folder.panel.list
    items = [rows.topLevelItem(row) for row in range(rows.topLevelItemCount())]
    return [(item.text(0), item.text(1)) for item in items]
