#!/usr/bin/env gnuplot
# Written by memlog plot, for gnuplot 5.2 or newer.
if (!exists("dark")) dark = 0
if (!exists("wide")) wide = 1200
if (!exists("high")) high = 680
if (!exists("scale")) scale = 2
zoom = 1; hues = "default"; tex = 0
name = "memlog: "."Resident memory, smallest to largest rank"
# (preamble.gp)
$band << EOD
0.11125 5.0977 6.625
0.125156 5.0977 6.625
1.09859 5.0977 6.625
1.1125 5.0977 60.934
1.12641 46.871 60.934
2.09984 46.871 60.934
2.11375 46.137 60.934
2.12766 46.137 59.98
3.10109 46.137 59.98
3.115 46.137 65
3.12891 50 65
4.10234 50 65
4.11625 50 127.25
4.13016 97.887 127.25
5.10359 97.887 127.25
5.125 97.887 130
5.13141 99.996 130
6.10484 99.996 130
6.11875 52.109 130
6.13266 52.109 67.742
7.10609 52.109 67.742
7.12 50 67.742
7.13391 50 65
8.10734 50 65
8.12125 50 127.25
8.13516 97.887 127.25
9.10859 97.887 127.25
9.1225 97.887 130
9.13641 99.996 130
10.1098 99.996 130
10.1238 52.109 130
10.1377 52.109 67.742
11.0972 52.109 67.742
11.1111 50 67.742
EOD
$run1 << EOD
0.11125 5.8248
0.125156 5.8453
1.09859 5.8453
1.1125 53.756
1.12641 53.756
2.09984 53.756
2.11375 52.915
2.12766 52.915
3.10109 52.915
3.115 57.344
3.12891 57.344
4.10234 57.344
4.11625 112.26
4.13016 112.26
5.10359 112.26
5.125 114.68
5.13141 114.68
6.10484 114.68
6.11875 59.763
6.13266 59.763
7.10609 59.763
7.12 57.344
7.13391 57.344
8.10734 57.344
8.12125 112.26
8.13516 112.26
9.10859 112.26
9.1225 114.68
9.13641 114.68
10.1098 114.68
10.1238 59.763
10.1377 59.763
11.0972 59.763
11.1111 57.344
11.125 57.344
EOD
set label 901 "Resident memory, smallest to largest rank" at screen px(24), screen py(36) left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*1.5) tc rgb fg
set label 902 "./solver -i core.i   |   2 nodes, 8 ranks" at screen px(24), screen py(71) left noenhanced font sprintf("%s,%d",font,0.5+fs*1) tc rgb mut
set label 903 "MiB" at graph 0, graph 1 offset character -1.2,character 1.05 right tc rgb mut
set label 904 "elapsed" at graph 1.011, graph 0 offset 0,character -1.12 left tc rgb mut
set lmargin screen px(79); set rmargin screen 1-px(167)
set tmargin screen py(122); set bmargin screen 1-py(60)
set xrange [0:11.125]; set yrange [0:145.596]; set ytics 32
set xtics format "%g s" 2
array MX[6]; array MY[6]; array MT[6]; array MS[6]
MX[1]=1.21; MY[1]=53.756; MS[1]=""
MT[1]="stacks at 0:01.2 (interval)\n\nranks 0-3,7\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 1,4-6\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 0-7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[2]=3.61; MY[2]=57.344; MS[2]=""
MT[2]="stacks at 0:03.6 (interval)\n\nranks 0-2,6-7\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 3-5\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 0-7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[3]=4.2; MY[3]=112.26; MS[3]=""
MT[3]="stacks at 0:04.2 (growth)\n\nrank 1\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  refine(Cell*, int)  core.cpp:301  (200 times)\n  #202  Solver::run(int)  core.cpp:118\n  #203  main  main.cpp:40\n  #204  __libc_start_main\n  #205  _start\n"
MX[4]=6.01; MY[4]=114.68; MS[4]=""
MT[4]="stacks at 0:06.0 (interval)\n\nranks 0-1,5-7\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 2-4\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 0-7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[5]=8.41; MY[5]=112.26; MS[5]=""
MT[5]="stacks at 0:08.4 (interval)\n\nranks 0-1,4-7\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 1-3\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:119\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 0-7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
MX[6]=10.81; MY[6]=59.763; MS[6]=""
MT[6]="stacks at 0:10.8 (interval)\n\nranks 1,3-6\n  #0  malloc\n  #1  operator new(unsigned long)\n  #2  std::vector<Element, std::allocator<Element> >::push_back(Element const&)  stl_vector.h:1285\n  #3  assemble(Mesh const&)  core.cpp:211\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 0-2,7\n  #0  poll\n  #1  libmpi.so.40+0x5d2c0\n  #2  MPI_Waitall\n  #3  exchange(Halo&)  core.cpp:77\n  #4  Solver::run(int)  core.cpp:118\n  #5  main  main.cpp:40\n  #6  __libc_start_main\n  #7  _start\n\nranks 0-7, another thread\n  #0  epoll_wait\n  #1  libpmix.so.2+0x9a3f0\n  #2  clone\n"
$mark << EOD
# time, value, colour, kind (0 stack, 1 output), number, has text
1.21 53.756 1 0 1 0
3.61 57.344 1 0 2 0
4.2 112.26 1 0 3 0
6.01 114.68 1 0 4 0
8.41 112.26 1 0 5 0
10.81 59.763 1 0 6 0
EOD
# with keys set a mark carries its number only; who set it knows the text
hx(i) = exists("keys") ? sprintf("k%d",i) : MT[i]
mc(i) = i > 0 ? col(i) : fg
set label 400 "smallest rank" at graph 1.011, first 50 left noenhanced tc rgb col(1) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set label 402 "mean of ranks" at graph 1.011, first 57.3438 left noenhanced tc rgb col(1) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set label 401 "largest: rank 6" at graph 1.011, first 67.7422 left noenhanced tc rgb col(1) font sprintf("%s%s,%d",font,bold,0.5+fs) front
array names[1]
names[1] = "mean of ranks"
if (text) {
  unset label; unset arrow; unset grid; set border 3
  set lmargin -1; set rmargin 2; set tmargin -1; set bmargin -1
  set mxtics 1; set title "Resident memory, smallest to largest rank"." (MiB)" noenhanced
  set key tmargin center horizontal samplen 3 noenhanced
  plot for [k=1:1] sprintf("$run%d",k) using 1:2 with steps lc rgb col(k) title names[k]
  exit
}
array TX[2]
TX[1] = ""
TX[2] = "peak 130 MiB at 5.1 s"
$texts << EOD
# time, value, kind, colour, number
5.125 129.996 3 1 1
5.125 134.82 1 1 2
EOD
plot $band using 1:2:3 with filledcurves fc rgb col(1) fs transparent solid (dark ? 0.24 : 0.15) noborder title "smallest to largest rank", \
     $run1 using 1:2 with lines lw 2 lc rgb col(1) title "mean of ranks", \
     $mark using 1:($3==1 && $4==0 ? $2 : NaN) with points pt 7 ps 1.05*psf lc rgb bg, \
     $mark using 1:($3==1 && $4==0 ? $2 : NaN) with points pt 6 ps 0.95*psf lw 1.5 lc rgb mc(1), \
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
