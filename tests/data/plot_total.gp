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
set label 902 "./solver -i core.i   |   2 nodes, 8 ranks" at screen px(24), screen py(71) left noenhanced font sprintf("%s,%d",font,0.5+fs*1) tc rgb mut
set label 903 "MiB" at graph 0, graph 1 offset character -1.2,character 1.05 right tc rgb mut
set label 904 "elapsed" at graph 1.0102, graph 0 offset 0,character -1.12 left tc rgb mut
set lmargin screen px(79); set rmargin screen 1-px(92)
set tmargin screen py(122); set bmargin screen 1-py(60)
set xrange [0:11.125]; set yrange [0:1329.96]; set ytics 256
set xtics format "%g s" 2
limit = 1187.46
set samples 2
set label 1 "limit of 2 nodes 1187 MiB" at graph 0.008, first limit offset 0,character 0.75 left noenhanced tc rgb lim front
set label 400 "small" at graph 1.0102, first 458.75 left noenhanced tc rgb col(1) font sprintf("%s%s,%d",font,bold,0.5+fs) front
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
5.12522 961.533 1 1 2
EOD
plot "+" using 1:(limit):(limit*1e3) with filledcurves fc rgb band fs solid noborder notitle, \
     limit with lines lw 1.4 dt (8,5) lc rgb lim notitle, \
     for [k=1:1] sprintf("$run%d",k) using 1:2 with steps lw 3.6 lc rgb bg notitle, \
     for [k=1:1] sprintf("$run%d",k) using 1:2 with steps lw 1.7 dt dash(k) lc rgb col(k) notitle, \
     $texts using 1:($3==1 && $4==1 ? $2 : NaN):(TX[int($5)]) with labels center font sprintf("%s,%d",font,0.5+fs*0.92) tc rgb col(1) notitle, \
     $texts using 1:($3==3 && $4==1 ? $2 : NaN) with points pt 9 ps top*psf lc rgb col(1) notitle
# what is zoomed into has tics of its own
if (window) { set xtics autofreq; set ytics autofreq }
if (window) { pause mouse close }
set output
