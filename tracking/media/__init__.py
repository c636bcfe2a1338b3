"""Images, sound, video, 3D and the other things that are logged as files."""
