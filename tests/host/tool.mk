# SPDX-License-Identifier: GPL-2.0
#
# make -f tests/host/tool.mk check   (from any directory)
#
# The donation tool, unchanged, linked with a kernel made up for the test.

HERE := $(dir $(lastword $(MAKEFILE_LIST)))
TOP := $(HERE)../..
BUILD := $(TOP)/build/host-tool

include $(TOP)/user/tool.mk

SOURCES := $(addprefix $(TOP)/user/,$(TOOL_SOURCES)) $(HERE)petmem_tool_kernel.c
HEADERS := $(wildcard $(TOP)/user/*.h) $(TOP)/petmem.h
WRAPPED := open opendir fopen write ioctl alarm

CFLAGS ?= -O1 -g
TEST_CFLAGS := -Wall -Wextra -Werror -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer -I$(TOP)

.PHONY: check
check: $(BUILD)/petmem
	$(HERE)petmem_tool_test.sh $<

$(BUILD)/petmem: $(SOURCES) $(HEADERS)
	mkdir -p $(@D)
	$(CC) $(CFLAGS) $(TEST_CFLAGS) -o $@ $(SOURCES) $(WRAPPED:%=-Wl,--wrap=%)
