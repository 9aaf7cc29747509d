/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * param.h - every limit of the system in one place.
 */
#ifndef PARAM_H
#define PARAM_H

#define NPROC		64	/* processes, zombies included */
#define NCPU		4	/* processors that are started */
#define NOFILE		16	/* open files of one process */
#define NMAP		8	/* mappings of one process, with mmap() */
#define NMAP_SAME	3	/* shared ones of one file among them */
#define NFILE		100	/* open files of the whole system */
#define NINODE		50	/* i-nodes in use at a time */
#define NDEV		4	/* device numbers (majors), 0 is unused */
#define MAXARG		32	/* arguments of exec, the final NULL included */
#define MAXPATH		128	/* bytes in a path, the final zero included */

#define FSSIZE		1000	/* blocks in the file system */
#define NINODES		200	/* i-nodes in the file system, 0 is unused */
#define LOGBLOCKS	30	/* blocks that one transaction may change */
#define NBUF		(LOGBLOCKS + 20)	/* blocks kept in memory */

#define PIPESIZE	512	/* bytes that a pipe holds */
#define TICK_HZ		100	/* clock ticks in a second: 10 ms each */

#endif
