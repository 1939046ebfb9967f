"""Jobs over files: a video or a picture in, an annotated one and landmarks out."""
