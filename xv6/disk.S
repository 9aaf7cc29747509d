/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk.S - the image that mkfs has made, as bytes in the kernel (ramdisk.c).
 */
	.data
	.balign	4096
	.globl	disk_image, disk_image_end
disk_image:
	.incbin	FS_IMAGE
disk_image_end:
