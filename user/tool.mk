# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The sources of the administrator's tool, for user/Makefile and for its test.

TOOL_SOURCES := petmem.c blocks.c config.c device.c draw.c interrupt.c load.c \
	map_picture.c picture.c picture_text.c picture_web.c pool_picture.c proc.c \
	progress.c status.c top.c transfer.c walk.c
