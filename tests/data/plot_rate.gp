#!/usr/bin/env gnuplot
# Written by memlog plot, for gnuplot 5.2 or newer.
if (!exists("dark")) dark = 0
if (!exists("wide")) wide = 1200
if (!exists("high")) high = 680
if (!exists("scale")) scale = 2
zoom = 1; hues = "default"; tex = 0
name = "memlog: "."Growth of resident memory, all ranks"
# (preamble.gp)
$run1 << EOD
0.125618 243.92
1.69696 18.267
3.2683 279.61
4.83964 -267.29
6.41098 -12.317
7.98232 291.93
9.55366 -291.93
11.125 -291.93
EOD
array names[1]
names[1] = "small"
set label 901 "Growth of resident memory, all ranks" at screen px(24), screen py(36) left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*1.5) tc rgb fg
set label 902 "./solver -i core.i   |   2 nodes, 8 ranks" at screen px(24), screen py(71) left noenhanced font sprintf("%s,%d",font,0.5+fs*1) tc rgb mut
set label 903 "MiB/s" at graph 0, graph 1 offset character -1.2,character 1.05 right tc rgb mut
set label 904 "elapsed" at graph 1.0102, graph 0 offset 0,character -1.12 left tc rgb mut
set lmargin screen px(79); set rmargin screen 1-px(92)
set tmargin screen py(122); set bmargin screen 1-py(60)
set xrange [0:11.125]; set yrange [-384:361.991]; set ytics 128
set arrow 905 from graph 0, first 0 to graph 1, first 0 nohead lw 0.8 lc rgb axc back
set xtics format "%g s" 2
set label 400 "small" at graph 1.0102, first -291.928 left noenhanced tc rgb col(1) font sprintf("%s%s,%d",font,bold,0.5+fs) front
if (text) {
  unset label; unset arrow; unset grid; set border 3
  set lmargin -1; set rmargin 2; set tmargin -1; set bmargin -1
  set mxtics 1; set title "Growth of resident memory, all ranks"." (MiB/s)" noenhanced
  set key tmargin center horizontal samplen 3 noenhanced
  plot for [k=1:1] sprintf("$run%d",k) using 1:2 with steps lc rgb col(k) title names[k]
  exit
}
array TX[2]
TX[1] = ""
TX[2] = "peak 292 MiB/s at 8 s"
$texts << EOD
# time, value, kind, colour, number
7.98232 291.928 3 1 1
7.98232 316.645 1 1 2
EOD
plot for [k=1:1] sprintf("$run%d",k) using 1:2 with steps lw 3.6 lc rgb bg notitle, \
     for [k=1:1] sprintf("$run%d",k) using 1:2 with steps lw 1.7 dt dash(k) lc rgb col(k) notitle, \
     $texts using 1:($3==1 && $4==1 ? $2 : NaN):(TX[int($5)]) with labels center font sprintf("%s,%d",font,0.5+fs*0.92) tc rgb col(1) notitle, \
     $texts using 1:($3==3 && $4==1 ? $2 : NaN) with points pt 9 ps top*psf lc rgb col(1) notitle
# what is zoomed into has tics of its own
if (window) { set xtics autofreq; set ytics autofreq }
if (window) { pause mouse close }
set output
