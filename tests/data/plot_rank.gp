#!/usr/bin/env gnuplot
# Written by memlog plot, for gnuplot 5.2 or newer.
if (!exists("dark")) dark = 0
if (!exists("wide")) wide = 1200
if (!exists("high")) high = 680
if (!exists("scale")) scale = 2
zoom = 1; hues = "default"; tex = 0
name = "memlog: "."Resident memory, by rank"
# (preamble.gp)
$run1 << EOD
0.125 5.0977
1.125 46.871
2.125 46.137
3.125 50
4.125 97.887
5.125 99.996
6.125 52.109
7.125 50
8.125 97.887
9.125 99.996
10.125 52.109
11.125 50
EOD
$run2 << EOD
0.125618 5.9888
1.12513 55.074
2.12532 54.212
3.12552 58.75
4.12503 115.02
5.12522 117.5
6.12541 61.229
7.1256 58.75
8.12512 115.02
9.12531 117.5
10.1255 61.229
11.125 58.75
EOD
$run3 << EOD
0.125 5.6055
1.125 51.559
2.125 50.754
3.125 55
4.125 107.68
5.125 110
6.125 57.32
7.125 55
8.125 107.68
9.125 110
10.125 57.32
11.125 55
EOD
$run4 << EOD
0.125 5.8594
1.125 53.902
2.125 53.059
3.125 57.5
4.125 112.57
5.125 115
6.125 59.926
7.125 57.5
8.125 112.57
9.125 115
10.125 59.926
11.125 57.5
EOD
$run5 << EOD
0.125 6.1172
1.125 56.246
2.125 55.367
3.125 60
4.125 117.46
5.125 120
6.125 62.531
7.125 60
8.125 117.46
9.125 120
10.125 62.531
11.125 60
EOD
$run6 << EOD
0.125 6.3711
1.125 58.59
2.125 57.672
3.125 62.5
4.125 122.36
5.125 125
6.125 65.137
7.125 62.5
8.125 122.36
9.125 125
10.125 65.137
11.125 62.5
EOD
$run7 << EOD
0.125 6.625
1.125 60.934
2.125 59.98
3.125 65
4.125 127.25
5.125 130
6.125 67.742
7.125 65
8.125 127.25
9.125 130
10.125 67.742
11.125 65
EOD
$run8 << EOD
0.125 5.0977
1.125 46.871
2.125 46.137
3.125 50
4.125 97.887
5.125 99.996
6.125 52.109
7.125 50
8.125 97.887
9.125 99.996
10.125 52.109
11.125 50
EOD
$sign7 << EOD
0.96142 6.625
2.19753 59.98
3.43364 65
4.66975 127.25
5.90586 130
7.14198 65
8.37809 127.25
9.6142 130
10.8503 67.742
EOD
$sign8 << EOD
1.09877 5.0977
2.33488 46.137
3.57099 50
4.8071 97.887
6.04321 99.996
7.27932 50
8.51543 97.887
9.75154 99.996
10.9877 52.109
EOD
array names[8]
names[1] = "rank 0"
names[2] = "rank 1"
names[3] = "rank 2"
names[4] = "rank 3"
names[5] = "rank 4"
names[6] = "rank 5"
names[7] = "rank 6"
names[8] = "rank 7"
set label 901 "Resident memory, by rank" at screen px(24), screen py(36) left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*1.5) tc rgb fg
set label 902 "./solver -i core.i   |   2 nodes, 8 ranks" at screen px(24), screen py(71) left noenhanced font sprintf("%s,%d",font,0.5+fs*1) tc rgb mut
set label 903 "MiB" at graph 0, graph 1 offset character -1.2,character 1.05 right tc rgb mut
set label 904 "elapsed" at graph 1.0102, graph 0 offset 0,character -1.12 left tc rgb mut
set lmargin screen px(79); set rmargin screen 1-px(92)
set tmargin screen py(122); set bmargin screen 1-py(60)
set xrange [0:11.125]; set yrange [0:225.673]; set ytics 32
set xtics format "%g s" 2
array MX[50]; array MY[50]; array MT[50]; array MS[50]
MX[1]=0.626667; MY[1]=5.0977; MS[1]="Mesh: reading core_3d_12M.e (serial)"
MT[1]="output at 0:00.6, rank 0:\nMesh: reading core_3d_12M.e (serial)\n"
MX[2]=1.21; MY[2]=46.871; MS[2]=""
MT[2]="stacks at 0:01.2 (interval)\n\nrank 0\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 0, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[3]=1.21; MY[3]=53.902; MS[3]=""
MT[3]="stacks at 0:01.2 (interval)\n\nrank 3\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 3, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[4]=1.21; MY[4]=60.934; MS[4]=""
MT[4]="stacks at 0:01.2 (interval)\n\nrank 6\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 6, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[5]=1.211; MY[5]=55.074; MS[5]=""
MT[5]="stacks at 0:01.2 (interval)\n\nrank 1\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 1\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 1, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[6]=1.211; MY[6]=56.246; MS[6]=""
MT[6]="stacks at 0:01.2 (interval)\n\nrank 4\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 4, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[7]=1.211; MY[7]=46.871; MS[7]=""
MT[7]="stacks at 0:01.2 (interval)\n\nrank 7\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[8]=1.212; MY[8]=51.559; MS[8]=""
MT[8]="stacks at 0:01.2 (interval)\n\nrank 2\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 2, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[9]=1.212; MY[9]=58.59; MS[9]=""
MT[9]="stacks at 0:01.2 (interval)\n\nrank 5\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 5, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[10]=1.88; MY[10]=46.871; MS[10]="Distributing mesh to the ranks, METI\0342\0200\0246"
MT[10]="output at 0:01.8, rank 0:\nDistributing mesh to the ranks, METIS k-way\n"
MX[11]=3.13333; MY[11]=50; MS[11]="Time Step 1, time = 0.1, dt = 0.1"
MT[11]="output at 0:03.1, rank 0:\nTime Step 1, time = 0.1, dt = 0.1\n"
MX[12]=3.61; MY[12]=50; MS[12]=""
MT[12]="stacks at 0:03.6 (interval)\n\nrank 0\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 0, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[13]=3.61; MY[13]=57.5; MS[13]=""
MT[13]="stacks at 0:03.6 (interval)\n\nrank 3\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 3, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[14]=3.61; MY[14]=65; MS[14]=""
MT[14]="stacks at 0:03.6 (interval)\n\nrank 6\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 6, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[15]=3.611; MY[15]=58.75; MS[15]=""
MT[15]="stacks at 0:03.6 (interval)\n\nrank 1\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 1, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[16]=3.611; MY[16]=60; MS[16]=""
MT[16]="stacks at 0:03.6 (interval)\n\nrank 4\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 4, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[17]=3.611; MY[17]=50; MS[17]=""
MT[17]="stacks at 0:03.6 (interval)\n\nrank 7\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[18]=3.612; MY[18]=55; MS[18]=""
MT[18]="stacks at 0:03.6 (interval)\n\nrank 2\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 2, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[19]=3.612; MY[19]=62.5; MS[19]=""
MT[19]="stacks at 0:03.6 (interval)\n\nrank 5\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 5, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[20]=4.2; MY[20]=115.02; MS[20]=""
MT[20]="stacks at 0:04.2 (growth)\n\nrank 1\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  refine(Cell*, int)  core.cpp:301  (200 times)\n  #202  Solver::run(int)  core.cpp:118\n  #203  main  main.cpp:40\n  #204  __libc_start_main\n  #205  _start\n"
MX[21]=4.38667; MY[21]=97.887; MS[21]="4 Nonlinear |R| = 8.113204e-09  Solv\0342\0200\0246"
MT[21]="output at 0:04.3, rank 0:\n 4 Nonlinear |R| = 8.113204e-09  Solve Converged!\n"
MX[22]=5.64; MY[22]=99.996; MS[22]="Time Step 3, time = 0.4, dt = 0.2"
MT[22]="output at 0:05.6, rank 0:\nTime Step 3, time = 0.4, dt = 0.2\n"
MX[23]=6.01; MY[23]=99.996; MS[23]=""
MT[23]="stacks at 0:06.0 (interval)\n\nrank 0\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 0, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[24]=6.01; MY[24]=115; MS[24]=""
MT[24]="stacks at 0:06.0 (interval)\n\nrank 3\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 3, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[25]=6.01; MY[25]=130; MS[25]=""
MT[25]="stacks at 0:06.0 (interval)\n\nrank 6\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 6, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[26]=6.011; MY[26]=117.5; MS[26]=""
MT[26]="stacks at 0:06.0 (interval)\n\nrank 1\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 1, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[27]=6.011; MY[27]=120; MS[27]=""
MT[27]="stacks at 0:06.0 (interval)\n\nrank 4\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 4, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[28]=6.011; MY[28]=99.996; MS[28]=""
MT[28]="stacks at 0:06.0 (interval)\n\nrank 7\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[29]=6.012; MY[29]=110; MS[29]=""
MT[29]="stacks at 0:06.0 (interval)\n\nrank 2\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 2, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[30]=6.012; MY[30]=125; MS[30]=""
MT[30]="stacks at 0:06.0 (interval)\n\nrank 5\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 5, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[31]=6.89333; MY[31]=52.109; MS[31]="*** Warning *** KSP diverged, cuttin\0342\0200\0246"
MT[31]="output at 0:06.8, rank 0:\n*** Warning *** KSP diverged, cutting dt to 0.05\n"
MX[32]=8.14667; MY[32]=97.887; MS[32]="Time Step 5, time = 0.5, dt = 0.05"
MT[32]="output at 0:08.1, rank 0:\nTime Step 5, time = 0.5, dt = 0.05\n"
MX[33]=8.41; MY[33]=97.887; MS[33]=""
MT[33]="stacks at 0:08.4 (interval)\n\nrank 0\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 0, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[34]=8.41; MY[34]=112.57; MS[34]=""
MT[34]="stacks at 0:08.4 (interval)\n\nrank 3\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 3, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[35]=8.41; MY[35]=127.25; MS[35]=""
MT[35]="stacks at 0:08.4 (interval)\n\nrank 6\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 6, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[36]=8.411; MY[36]=115.02; MS[36]=""
MT[36]="stacks at 0:08.4 (interval)\n\nrank 1\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 1\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 1, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[37]=8.411; MY[37]=117.46; MS[37]=""
MT[37]="stacks at 0:08.4 (interval)\n\nrank 4\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 4, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[38]=8.411; MY[38]=97.887; MS[38]=""
MT[38]="stacks at 0:08.4 (interval)\n\nrank 7\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[39]=8.412; MY[39]=107.68; MS[39]=""
MT[39]="stacks at 0:08.4 (interval)\n\nrank 2\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 2, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[40]=8.412; MY[40]=122.36; MS[40]=""
MT[40]="stacks at 0:08.4 (interval)\n\nrank 5\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 5, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[41]=9.4; MY[41]=99.996; MS[41]="Writing checkpoint 0005.rd (2.1 GiB)"
MT[41]="output at 0:09.4, rank 0:\nWriting checkpoint 0005.rd (2.1 GiB)\n"
MX[42]=10.6533; MY[42]=52.109; MS[42]="Time Step 6, time = 0\0342\0200\0246"
MT[42]="output at 0:10.6, rank 0:\nTime Step 6, time = 0.7; \0044PATH \0342\0200\0265id\0342\0200\0265 \0173a\0175_b\0136c \0342\0200\0234q\0342\0200\0235\n"
MX[43]=10.81; MY[43]=52.109; MS[43]=""
MT[43]="stacks at 0:10.8 (interval)\n\nrank 0\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 0, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[44]=10.81; MY[44]=59.926; MS[44]=""
MT[44]="stacks at 0:10.8 (interval)\n\nrank 3\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 3, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[45]=10.81; MY[45]=67.742; MS[45]=""
MT[45]="stacks at 0:10.8 (interval)\n\nrank 6\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 6, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[46]=10.811; MY[46]=61.229; MS[46]=""
MT[46]="stacks at 0:10.8 (interval)\n\nrank 1\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 1\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 1, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[47]=10.811; MY[47]=62.531; MS[47]=""
MT[47]="stacks at 0:10.8 (interval)\n\nrank 4\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 4, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[48]=10.811; MY[48]=52.109; MS[48]=""
MT[48]="stacks at 0:10.8 (interval)\n\nrank 7\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[49]=10.812; MY[49]=57.32; MS[49]=""
MT[49]="stacks at 0:10.8 (interval)\n\nrank 2\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 2, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[50]=10.812; MY[50]=65.137; MS[50]=""
MT[50]="stacks at 0:10.8 (interval)\n\nrank 5\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nrank 5, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
$mark << EOD
# time, value, colour, kind (0 stack, 1 output), number, has text
0.626667 5.0977 1 1 1 1
1.21 46.871 1 0 2 0
1.21 53.902 4 0 3 0
1.21 60.934 7 0 4 0
1.211 55.074 2 0 5 0
1.211 56.246 5 0 6 0
1.211 46.871 8 0 7 0
1.212 51.559 3 0 8 0
1.212 58.59 6 0 9 0
1.88 46.871 1 1 10 1
3.13333 50 1 1 11 1
3.61 50 1 0 12 0
3.61 57.5 4 0 13 0
3.61 65 7 0 14 0
3.611 58.75 2 0 15 0
3.611 60 5 0 16 0
3.611 50 8 0 17 0
3.612 55 3 0 18 0
3.612 62.5 6 0 19 0
4.2 115.02 2 0 20 0
4.38667 97.887 1 1 21 1
5.64 99.996 1 1 22 1
6.01 99.996 1 0 23 0
6.01 115 4 0 24 0
6.01 130 7 0 25 0
6.011 117.5 2 0 26 0
6.011 120 5 0 27 0
6.011 99.996 8 0 28 0
6.012 110 3 0 29 0
6.012 125 6 0 30 0
6.89333 52.109 1 1 31 1
8.14667 97.887 1 1 32 1
8.41 97.887 1 0 33 0
8.41 112.57 4 0 34 0
8.41 127.25 7 0 35 0
8.411 115.02 2 0 36 0
8.411 117.46 5 0 37 0
8.411 97.887 8 0 38 0
8.412 107.68 3 0 39 0
8.412 122.36 6 0 40 0
9.4 99.996 1 1 41 1
10.6533 52.109 1 1 42 1
10.81 52.109 1 0 43 0
10.81 59.926 4 0 44 0
10.81 67.742 7 0 45 0
10.811 61.229 2 0 46 0
10.811 62.531 5 0 47 0
10.811 52.109 8 0 48 0
10.812 57.32 3 0 49 0
10.812 65.137 6 0 50 0
EOD
# with keys set a mark carries its number only; who set it knows the text
hx(i) = exists("keys") ? sprintf("k%d",i) : MT[i]
mc(i) = i > 0 ? col(i) : fg
keyfont = sprintf("%s,%d",font,0.5+fs*0.92)
set key inside left top vertical Left reverse samplen 2 noenhanced textcolor rgb mut font keyfont noautotitle
if (text) {
  unset label; unset arrow; unset grid; set border 3
  set lmargin -1; set rmargin 2; set tmargin -1; set bmargin -1
  set mxtics 1; set title "Resident memory, by rank"." (MiB)" noenhanced
  set key tmargin center horizontal samplen 3 noenhanced
  plot for [k=1:8] sprintf("$run%d",k) using 1:2 with steps lc rgb col(k) title names[k]
  exit
}
array TX[2]
TX[1] = ""
TX[2] = "peak 130 MiB at 5.1 s"
$texts << EOD
# time, value, kind, colour, number
5.125 129.996 3 7 1
5.125 137.473 1 7 2
EOD
plot for [k=1:8] sprintf("$run%d",k) using 1:2 with steps lw 3.6 lc rgb bg notitle, \
     for [k=1:8] sprintf("$run%d",k) using 1:2 with steps lw 1.7 dt dash(k) lc rgb col(k) notitle, \
     for [k=7:8] sprintf("$sign%d",k) using 1:2 with points pt sign(k) ps 0.95*psf lc rgb col(k) notitle, \
     for [k=1:8] NaN with linespoints lw 1.7 dt dash(k) pt sign(k) ps 0.95*psf lc rgb col(k) title names[k], \
     $mark using 1:($6==1 ? $2 : NaN):(0):(156.39-$2) with vectors nohead lw 0.8 dt (2,3) lc rgb mut, \
     $mark using 1:($6==1 ? 157.97 : NaN):(MS[int($5)]) with labels left rotate by 38 offset character 0,0 font sprintf("%s,%d",font,0.5+fs*0.85) tc rgb fg, \
     $mark using 1:($3==1 && $4==0 ? $2 : NaN) with points pt 7 ps 1.05*psf lc rgb bg, \
     $mark using 1:($3==1 && $4==0 ? $2 : NaN) with points pt 6 ps 0.95*psf lw 1.5 lc rgb mc(1), \
     $mark using 1:($3==1 && $4==1 ? $2 : NaN) with points pt 2 ps cross*psf lw 1.7 lc rgb mc(1), \
     $mark using 1:($3==2 && $4==0 ? $2 : NaN) with points pt 7 ps 1.05*psf lc rgb bg, \
     $mark using 1:($3==2 && $4==0 ? $2 : NaN) with points pt 6 ps 0.95*psf lw 1.5 lc rgb mc(2), \
     $mark using 1:($3==3 && $4==0 ? $2 : NaN) with points pt 7 ps 1.05*psf lc rgb bg, \
     $mark using 1:($3==3 && $4==0 ? $2 : NaN) with points pt 6 ps 0.95*psf lw 1.5 lc rgb mc(3), \
     $mark using 1:($3==4 && $4==0 ? $2 : NaN) with points pt 7 ps 1.05*psf lc rgb bg, \
     $mark using 1:($3==4 && $4==0 ? $2 : NaN) with points pt 6 ps 0.95*psf lw 1.5 lc rgb mc(4), \
     $mark using 1:($3==5 && $4==0 ? $2 : NaN) with points pt 7 ps 1.05*psf lc rgb bg, \
     $mark using 1:($3==5 && $4==0 ? $2 : NaN) with points pt 6 ps 0.95*psf lw 1.5 lc rgb mc(5), \
     $mark using 1:($3==6 && $4==0 ? $2 : NaN) with points pt 7 ps 1.05*psf lc rgb bg, \
     $mark using 1:($3==6 && $4==0 ? $2 : NaN) with points pt 6 ps 0.95*psf lw 1.5 lc rgb mc(6), \
     for [k=1:looked_up] $mark using 1:2:(hx($5)) with labels hypertext font sprintf("%s,%d",mono,0.5+fs*0.85) point pt 7 ps 1.3*psf lc rgb "#ff000000", \
     $texts using 1:($3==1 && $4==7 ? $2 : NaN):(TX[int($5)]) with labels center font sprintf("%s,%d",font,0.5+fs*0.92) tc rgb col(7) notitle, \
     $texts using 1:($3==3 && $4==7 ? $2 : NaN) with points pt 9 ps top*psf lc rgb col(7) notitle
# what is zoomed into has tics of its own
if (window) { set xtics autofreq; set ytics autofreq }
# ---- window: a click on a mark prints what is behind it
if (window) {
  if (exists("driven")) {
    set print "-"
    bind all "Button1" "print sprintf('CLICK %.17g %.17g %.17g %.17g %.17g %.17g', MOUSE_X, MOUSE_Y, GPVAL_X_MIN, GPVAL_X_MAX, GPVAL_Y_MIN, GPVAL_Y_MAX)"
    print "READY"
  } else {
    up(v) = GPVAL_Y_LOG > 0 ? log(v) : v
    far(i) = ((MX[i]-MOUSE_X)/(GPVAL_X_MAX-GPVAL_X_MIN)*wide*0.85)**2 + ((up(MY[i])-up(MOUSE_Y))/(up(GPVAL_Y_MAX)-up(GPVAL_Y_MIN))*high*0.73)**2
    bind all "Button1" "near=1; do for [i=2:|MX|] { if (far(i)<far(near)) { near=i } } ; if (far(near)<=196) { print MT[near] }"
  }
  pause 0.3  # x11 sends an event of its own after the first plot
  pause mouse close
}
set output
