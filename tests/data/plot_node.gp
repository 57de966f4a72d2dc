#!/usr/bin/env gnuplot
# Written by memlog plot, for gnuplot 5.2 or newer.
if (!exists("dark")) dark = 0
if (!exists("wide")) wide = 1200
if (!exists("high")) high = 680
if (!exists("scale")) scale = 2
zoom = 1; hues = "default"; tex = 0
name = "memlog: "."Resident memory, by node"
# (preamble.gp)
$run1 << EOD
0.125618 22.551
1.12513 207.41
2.12532 204.16
3.12552 221.25
4.12503 433.15
5.12522 442.48
6.12541 230.58
7.1256 221.25
8.12512 433.15
9.12531 442.48
10.1255 230.58
11.125 221.25
EOD
$run2 << EOD
0.125618 24.211
1.12513 222.64
2.12532 219.16
3.12552 237.5
4.12503 464.96
5.12522 474.98
6.12541 247.52
7.1256 237.5
8.12512 464.96
9.12531 474.98
10.1255 247.52
11.125 237.5
EOD
array names[2]
names[1] = "n01"
names[2] = "n02"
set label 901 "Resident memory, by node" at screen px(24), screen py(36) left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*1.5) tc rgb fg
set label 902 "./solver -i core.i   |   2 nodes, 8 ranks" at screen px(24), screen py(71) left noenhanced font sprintf("%s,%d",font,0.5+fs*1) tc rgb mut
set label 903 "MiB" at graph 0, graph 1 offset character -1.2,character 1.05 right tc rgb mut
set label 904 "elapsed" at graph 1.0102, graph 0 offset 0,character -1.12 left tc rgb mut
set lmargin screen px(79); set rmargin screen 1-px(92)
set tmargin screen py(122); set bmargin screen 1-py(60)
set xrange [0:11.125]; set yrange [0:664.978]; set ytics 128
set xtics format "%g s" 2
limit = 593.73
set samples 2
set label 1 "node limit 594 MiB" at graph 0.008, first limit offset 0,character 0.75 left noenhanced tc rgb lim front
set label 400 "n01" at graph 1.0102, first 212.684 left noenhanced tc rgb col(1) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set arrow 400 from 11.125, first 221.25 to 11.2223, first 212.684 nohead lw 1 dt (1,5) lc rgb col(1)
set label 401 "n02" at graph 1.0102, first 246.066 left noenhanced tc rgb col(2) font sprintf("%s%s,%d",font,bold,0.5+fs) front
set arrow 401 from 11.125, first 237.5 to 11.2223, first 246.066 nohead lw 1 dt (1,5) lc rgb col(2)
if (text) {
  unset label; unset arrow; unset grid; set border 3
  set lmargin -1; set rmargin 2; set tmargin -1; set bmargin -1
  set mxtics 1; set title "Resident memory, by node"." (MiB)" noenhanced
  set key tmargin center horizontal samplen 3 noenhanced
  plot for [k=1:2] sprintf("$run%d",k) using 1:2 with steps lc rgb col(k) title names[k]
  exit
}
array TX[4]
TX[1] = ""
TX[2] = "peak 475 MiB at 5.1 s"
TX[3] = ""
TX[4] = "peak 442 MiB at 5.1 s"
$texts << EOD
# time, value, kind, colour, number
5.12522 474.984 3 2 1
5.12522 497.017 1 2 2
5.12522 442.484 3 1 3
5.12522 420.451 1 1 4
EOD
plot "+" using 1:(limit):(limit*1e3) with filledcurves fc rgb band fs solid noborder notitle, \
     limit with lines lw 1.4 dt (8,5) lc rgb lim notitle, \
     for [k=1:2] sprintf("$run%d",k) using 1:2 with steps lw 3.6 lc rgb bg notitle, \
     for [k=1:2] sprintf("$run%d",k) using 1:2 with steps lw 1.7 dt dash(k) lc rgb col(k) notitle, \
     $texts using 1:($3==1 && $4==1 ? $2 : NaN):(TX[int($5)]) with labels center font sprintf("%s,%d",font,0.5+fs*0.92) tc rgb col(1) notitle, \
     $texts using 1:($3==1 && $4==2 ? $2 : NaN):(TX[int($5)]) with labels center font sprintf("%s,%d",font,0.5+fs*0.92) tc rgb col(2) notitle, \
     $texts using 1:($3==3 && $4==1 ? $2 : NaN) with points pt 9 ps top*psf lc rgb col(1) notitle, \
     $texts using 1:($3==3 && $4==2 ? $2 : NaN) with points pt 9 ps top*psf lc rgb col(2) notitle
# what is zoomed into has tics of its own
if (window) { set xtics autofreq; set ytics autofreq }
if (window) { pause mouse close }
set output
