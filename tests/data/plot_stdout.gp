#!/usr/bin/env gnuplot
# Written by memlog plot, for gnuplot 5.2 or newer.
if (!exists("dark")) dark = 0
if (!exists("wide")) wide = 1200
if (!exists("high")) high = 680
if (!exists("scale")) scale = 2
zoom = 1; hues = "default"; tex = 0
name = "memlog: "."Resident memory, all ranks"
# (preamble.gp)
$run1 << EOD
0.125618 46.762
1.12513 430.05
2.12532 423.32
3.12552 458.75
4.12503 898.11
5.12522 917.47
6.12541 478.1
7.1256 458.75
8.12512 898.11
9.12531 917.47
10.1255 478.1
11.125 458.75
EOD
array names[1]
names[1] = "small"
set label 901 "Resident memory, all ranks" at screen px(24), screen py(36) left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*1.5) tc rgb fg
set label 902 "./solver -i core.i   |   2 nodes, 8 ranks   |   limit of 2 nodes 1187 MiB" at screen px(24), screen py(71) left noenhanced font sprintf("%s,%d",font,0.5+fs*1) tc rgb mut
set label 903 "MiB" at graph 0, graph 1 offset character -1.2,character 1.05 right tc rgb mut
set label 904 "elapsed" at graph 1.0102, graph 0 offset 0,character -1.12 left tc rgb mut
set lmargin screen px(79); set rmargin screen 1-px(92)
set tmargin screen py(122); set bmargin screen 1-py(60)
set xrange [0:11.125]; set yrange [0:1592.72]; set ytics 256
set xtics format "%g s" 2
limit = 1187.46
set samples 2
set label 400 "small" at graph 1.0102, first 458.75 left noenhanced tc rgb col(1) font sprintf("%s%s,%d",font,bold,0.5+fs) front
array MX[15]; array MY[15]; array MT[15]; array MS[15]
MX[1]=0.626667; MY[1]=46.762; MS[1]="Mesh: reading core_3\0342\0200\0246"
MT[1]="output at 0:00.6, rank 0:\nMesh: reading core_3d_12M.e (serial)\n"
MX[2]=1.21; MY[2]=430.05; MS[2]=""
MT[2]="stacks at 0:01.2 (interval)\n\nranks 0-3,7\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 1,4-6\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 0-7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[3]=1.88; MY[3]=430.05; MS[3]="Distributing mesh to\0342\0200\0246"
MT[3]="output at 0:01.8, rank 0:\nDistributing mesh to the ranks, METIS k-way\n"
MX[4]=3.13333; MY[4]=458.75; MS[4]="Time Step 1, time =\0342\0200\0246"
MT[4]="output at 0:03.1, rank 0:\nTime Step 1, time = 0.1, dt = 0.1\n"
MX[5]=3.61; MY[5]=458.75; MS[5]=""
MT[5]="stacks at 0:03.6 (interval)\n\nranks 0-2,6-7\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 3-5\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 0-7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[6]=4.2; MY[6]=898.11; MS[6]=""
MT[6]="stacks at 0:04.2 (growth)\n\nrank 1\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  refine(Cell*, int)  core.cpp:301  (200 times)\n  #202  Solver::run(int)  core.cpp:118\n  #203  main  main.cpp:40\n  #204  __libc_start_main\n  #205  _start\n"
MX[7]=4.38667; MY[7]=898.11; MS[7]="4 Nonlinear |R| = 8.\0342\0200\0246"
MT[7]="output at 0:04.3, rank 0:\n 4 Nonlinear |R| = 8.113204e-09  Solve Converged!\n"
MX[8]=5.64; MY[8]=917.47; MS[8]="Time Step 3, time =\0342\0200\0246"
MT[8]="output at 0:05.6, rank 0:\nTime Step 3, time = 0.4, dt = 0.2\n"
MX[9]=6.01; MY[9]=917.47; MS[9]=""
MT[9]="stacks at 0:06.0 (interval)\n\nranks 0-1,5-7\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 2-4\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 0-7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[10]=6.89333; MY[10]=478.1; MS[10]="*** Warning *** KSP\0342\0200\0246"
MT[10]="output at 0:06.8, rank 0:\n*** Warning *** KSP diverged, cutting dt to 0.05\n"
MX[11]=8.14667; MY[11]=898.11; MS[11]="Time Step 5, time =\0342\0200\0246"
MT[11]="output at 0:08.1, rank 0:\nTime Step 5, time = 0.5, dt = 0.05\n"
MX[12]=8.41; MY[12]=898.11; MS[12]=""
MT[12]="stacks at 0:08.4 (interval)\n\nranks 0-1,4-7\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 1-3\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 0-7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[13]=9.4; MY[13]=917.47; MS[13]="Writing checkpoint 0\0342\0200\0246"
MT[13]="output at 0:09.4, rank 0:\nWriting checkpoint 0005.rd (2.1 GiB)\n"
MX[14]=10.6533; MY[14]=478.1; MS[14]="Time Step 6, time =\0342\0200\0246"
MT[14]="output at 0:10.6, rank 0:\nTime Step 6, time = 0.7; \0044PATH \0342\0200\0265id\0342\0200\0265 \0173a\0175_b\0136c \0342\0200\0234q\0342\0200\0235\n"
MX[15]=10.81; MY[15]=478.1; MS[15]=""
MT[15]="stacks at 0:10.8 (interval)\n\nranks 1,3-6\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 0-2,7\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 0-7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
$mark << EOD
# time, value, colour, kind (0 stack, 1 output), number, has text
0.626667 46.762 1 1 1 1
1.21 430.05 1 0 2 0
1.88 430.05 1 1 3 1
3.13333 458.75 1 1 4 1
3.61 458.75 1 0 5 0
4.2 898.11 1 0 6 0
4.38667 898.11 1 1 7 1
5.64 917.47 1 1 8 1
6.01 917.47 1 0 9 0
6.89333 478.1 1 1 10 1
8.14667 898.11 1 1 11 1
8.41 898.11 1 0 12 0
9.4 917.47 1 1 13 1
10.6533 478.1 1 1 14 1
10.81 478.1 1 0 15 0
EOD
# with keys set a mark carries its number only; who set it knows the text
hx(i) = exists("keys") ? sprintf("k%d",i) : MT[i]
mc(i) = i > 0 ? col(i) : fg
if (text) {
  unset label; unset arrow; unset grid; set border 3
  set lmargin -1; set rmargin 2; set tmargin -1; set bmargin -1
  set mxtics 1; set title "Resident memory, all ranks"." (MiB)" noenhanced
  set key tmargin center horizontal samplen 3 noenhanced
  plot for [k=1:1] sprintf("$run%d",k) using 1:2 with steps lc rgb col(k) title names[k]
  exit
}
array TX[2]
TX[1] = ""
TX[2] = "peak 917 MiB at 5.1 s"
$texts << EOD
# time, value, kind, colour, number
5.12522 917.468 3 1 1
5.12522 970.239 1 1 2
EOD
plot "+" using 1:(limit):(limit*1e3) with filledcurves fc rgb band fs solid noborder notitle, \
     limit with lines lw 1.4 dt (8,5) lc rgb lim notitle, \
     for [k=1:1] sprintf("$run%d",k) using 1:2 with steps lw 3.6 lc rgb bg notitle, \
     for [k=1:1] sprintf("$run%d",k) using 1:2 with steps lw 1.7 dt dash(k) lc rgb col(k) notitle, \
     $mark using 1:($6==1 ? $2 : NaN):(0):(1103.8-$2) with vectors nohead lw 0.8 dt (2,3) lc rgb mut, \
     $mark using 1:($6==1 ? 1114.9 : NaN):(MS[int($5)]) with labels left rotate by 30 offset character 1,-0.5 font sprintf("%s,%d",font,0.5+fs*0.85) tc rgb fg, \
     $mark using 1:($3==1 && $4==0 ? $2 : NaN) with points pt 7 ps 1.05*psf lc rgb bg, \
     $mark using 1:($3==1 && $4==0 ? $2 : NaN) with points pt 6 ps 0.95*psf lw 1.5 lc rgb mc(1), \
     $mark using 1:($3==1 && $4==1 ? $2 : NaN) with points pt 2 ps cross*psf lw 1.7 lc rgb mc(2), \
     for [k=1:looked_up] $mark using 1:2:(hx($5)) with labels hypertext font sprintf("%s,%d",mono,0.5+fs*0.85) point pt 7 ps 1.3*psf lc rgb "#ff000000", \
     $texts using 1:($3==1 && $4==1 ? $2 : NaN):(TX[int($5)]) with labels center font sprintf("%s,%d",font,0.5+fs*0.92) tc rgb col(1) notitle, \
     $texts using 1:($3==3 && $4==1 ? $2 : NaN) with points pt 9 ps top*psf lc rgb col(1) notitle
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
