#!/usr/bin/env gnuplot
# Written by memlog plot, for gnuplot 5.2 or newer.
if (!exists("dark")) dark = 0
if (!exists("wide")) wide = 1200
if (!exists("high")) high = 680
if (!exists("scale")) scale = 2
zoom = 1; hues = "default"; tex = 0
name = "memlog: "."Resident memory, by process"
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
0.125 5.3516
1.125 49.215
2.125 48.445
3.125 52.5
4.125 102.78
5.125 105
6.125 54.715
7.125 52.5
8.125 102.78
9.125 105
10.125 54.715
11.125 52.5
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
$run9 << EOD
0.125 0.63721
1.125 5.8589
2.125 5.7671
3.125 6.25
4.125 12.236
5.125 12.5
6.125 6.5137
7.125 6.25
8.125 12.236
9.125 12.5
10.125 6.5137
11.125 6.25
EOD
$sign7 << EOD
0.865278 6.625
2.10139 60.934
3.3375 65
4.57361 127.25
5.80972 130
7.04583 67.742
8.28194 127.25
9.51806 130
10.7542 67.742
EOD
$sign8 << EOD
0.988889 5.0977
2.225 46.137
3.46111 50
4.69722 97.887
5.93333 99.996
7.16944 50
8.40556 97.887
9.64167 99.996
10.8778 52.109
EOD
$sign9 << EOD
1.1125 0.63721
2.34861 5.7671
3.58472 6.25
4.82083 12.236
6.05694 12.5
7.29306 6.25
8.52917 12.236
9.76528 12.5
11.0014 6.5137
EOD
array names[9]
names[1] = "rank 0 solver"
names[2] = "rank 1 solver"
names[3] = "rank 2 solver"
names[4] = "rank 3 solver"
names[5] = "rank 4 solver"
names[6] = "rank 5 solver"
names[7] = "rank 6 solver"
names[8] = "rank 7 solver"
names[9] = "rank 1 partmesh"
set label 901 "Resident memory, by process" at screen px(24), screen py(36) left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*1.5) tc rgb fg
set label 902 "./solver -i core.i   |   2 nodes, 8 ranks" at screen px(24), screen py(71) left noenhanced font sprintf("%s,%d",font,0.5+fs*1) tc rgb mut
set label 903 "MiB" at graph 0, graph 1 offset character -1.2,character 1.05 right tc rgb mut
set label 904 "elapsed" at graph 1.0112, graph 0 offset 0,character -1.12 left tc rgb mut
set lmargin screen px(79); set rmargin screen 1-px(186)
set tmargin screen py(122); set bmargin screen 1-py(60)
set xrange [0:11.125]; set yrange [0:145.596]; set ytics 32
set xtics format "%g s" 2
set label 608 "" at 11.3094, first 6.25 point pt sign(9) ps psf lc rgb col(9) front
set label 408 "rank 1 partmesh" at graph 1.0273, first 6.25 left noenhanced tc rgb col(9) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set label 400 "rank 0 solver" at graph 1.0112, first 30.9809 left noenhanced tc rgb col(1) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set arrow 400 from 11.125, first 50 to 11.2321, first 30.9809 nohead lw 1 dt (1,5) lc rgb col(1)
set label 607 "" at 11.3094, first 38.29 point pt sign(8) ps psf lc rgb col(8) front
set label 407 "rank 7 solver" at graph 1.0273, first 38.29 left noenhanced tc rgb col(8) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set arrow 407 from 11.125, first 50 to 11.2321, first 38.29 nohead lw 1 dt (1,5) lc rgb col(8)
set label 401 "rank 1 solver" at graph 1.0112, first 45.599 left noenhanced tc rgb col(2) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set arrow 401 from 11.125, first 52.5 to 11.2321, first 45.599 nohead lw 1 dt (1,5) lc rgb col(2)
set label 402 "rank 2 solver" at graph 1.0112, first 52.908 left noenhanced tc rgb col(3) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set arrow 402 from 11.125, first 55 to 11.2321, first 52.908 nohead lw 1 dt (1,5) lc rgb col(3)
set label 403 "rank 3 solver" at graph 1.0112, first 60.217 left noenhanced tc rgb col(4) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set arrow 403 from 11.125, first 57.5 to 11.2321, first 60.217 nohead lw 1 dt (1,5) lc rgb col(4)
set label 404 "rank 4 solver" at graph 1.0112, first 67.526 left noenhanced tc rgb col(5) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set arrow 404 from 11.125, first 60 to 11.2321, first 67.526 nohead lw 1 dt (1,5) lc rgb col(5)
set label 405 "rank 5 solver" at graph 1.0112, first 74.835 left noenhanced tc rgb col(6) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set arrow 405 from 11.125, first 62.5 to 11.2321, first 74.835 nohead lw 1 dt (1,5) lc rgb col(6)
set label 606 "" at 11.3094, first 82.1441 point pt sign(7) ps psf lc rgb col(7) front
set label 406 "rank 6 solver" at graph 1.0273, first 82.1441 left noenhanced tc rgb col(7) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set arrow 406 from 11.125, first 65 to 11.2321, first 82.1441 nohead lw 1 dt (1,5) lc rgb col(7)
if (text) {
  unset label; unset arrow; unset grid; set border 3
  set lmargin -1; set rmargin 2; set tmargin -1; set bmargin -1
  set mxtics 1; set title "Resident memory, by process"." (MiB)" noenhanced
  set key tmargin center horizontal samplen 3 noenhanced
  plot for [k=1:9] sprintf("$run%d",k) using 1:2 with steps lc rgb col(k) title names[k]
  exit
}
array TX[2]
TX[1] = ""
TX[2] = "peak 130 MiB at 5.1 s"
$texts << EOD
# time, value, kind, colour, number
5.125 129.996 3 7 1
5.125 134.82 1 7 2
EOD
plot for [k=1:9] sprintf("$run%d",k) using 1:2 with steps lw 3.6 lc rgb bg notitle, \
     for [k=1:9] sprintf("$run%d",k) using 1:2 with steps lw 1.7 dt dash(k) lc rgb col(k) notitle, \
     for [k=7:9] sprintf("$sign%d",k) using 1:2 with points pt sign(k) ps 0.95*psf lc rgb col(k) notitle, \
     $texts using 1:($3==1 && $4==7 ? $2 : NaN):(TX[int($5)]) with labels center font sprintf("%s,%d",font,0.5+fs*0.92) tc rgb col(7) notitle, \
     $texts using 1:($3==3 && $4==7 ? $2 : NaN) with points pt 9 ps top*psf lc rgb col(7) notitle
# what is zoomed into has tics of its own
if (window) { set xtics autofreq; set ytics autofreq }
if (window) { pause mouse close }
set output
