"""Labels of other tools in and out: COCO, DeepLabCut, SLEAP, CVAT, Label Studio, LabelMe.

A reader turns a file into `foreign.Foreign`, knowing nothing of a project; `bring` puts that into
one.
A writer turns a project's labels into files. No pickle is read, and nothing is fetched.

Pictures that are frames of a clip of the project become labels of that frame. Any other picture
becomes a still: it is kept as labels/frames/NAME/frame000000.png and labelled as frame 0, 1, ... of
a clip NAME of which there is no file in clips/ (`stills`). labels/frames/NAME/pictures.csv says
which picture each one was, so that a second import finds it again.
"""
