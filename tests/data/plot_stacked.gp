#!/usr/bin/env gnuplot
# Written by memlog plot, for gnuplot 5.2 or newer.
if (!exists("dark")) dark = 0
if (!exists("wide")) wide = 1200
if (!exists("high")) high = 680
if (!exists("scale")) scale = 2
zoom = 1; hues = "default"; tex = 0
name = "memlog: "."Resident memory, rank upon rank"
# (preamble.gp)
$layers << EOD
# time, and the sums from below
0.125618 5.0977 11.086 16.692 22.551 28.668 35.04 41.665 46.762
1.12513 46.871 101.94 153.5 207.41 263.65 322.24 383.18 430.05
2.12532 46.137 100.35 151.1 204.16 259.53 317.2 377.18 423.32
3.12552 50 108.75 163.75 221.25 281.25 343.75 408.75 458.75
4.12503 97.887 212.9 320.58 433.15 550.61 672.97 800.23 898.11
5.12522 99.996 217.49 327.49 442.48 562.48 687.48 817.47 917.47
6.12541 52.109 113.34 170.66 230.58 293.12 358.25 425.99 478.1
7.1256 50 108.75 163.75 221.25 281.25 343.75 408.75 458.75
8.12512 97.887 212.9 320.58 433.15 550.61 672.97 800.23 898.11
9.12531 99.996 217.49 327.49 442.48 562.48 687.48 817.47 917.47
10.1255 52.109 113.34 170.66 230.58 293.12 358.25 425.99 478.1
11.125 50 108.75 163.75 221.25 281.25 343.75 408.75 458.75
11.125 50 108.75 163.75 221.25 281.25 343.75 408.75 458.75
EOD
array shade[8]; array ink[8]
shade[1] = dark ? "#2c5fae" : "#1d4f9c"; ink[1] = dark ? "#ffffff" : "#ffffff"
shade[2] = dark ? "#4080d4" : "#2f6cc4"; ink[2] = dark ? "#ffffff" : "#ffffff"
shade[3] = dark ? "#6aa3ee" : "#5b92dc"; ink[3] = dark ? "#10151b" : "#ffffff"
shade[4] = dark ? "#9fc6fa" : "#93bbec"; ink[4] = dark ? "#10151b" : "#10151b"
shade[5] = dark ? "#a8620f" : "#a85a05"; ink[5] = dark ? "#ffffff" : "#ffffff"
shade[6] = dark ? "#d88a2c" : "#d27a14"; ink[6] = dark ? "#10151b" : "#ffffff"
shade[7] = dark ? "#f2ae5e" : "#eca451"; ink[7] = dark ? "#10151b" : "#10151b"
shade[8] = dark ? "#fbd3a0" : "#f6cb98"; ink[8] = dark ? "#10151b" : "#10151b"
set label 901 "Resident memory, rank upon rank" at screen px(24), screen py(36) left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*1.5) tc rgb fg
set label 902 "./solver -i core.i   |   2 nodes, 8 ranks" at screen px(24), screen py(71) left noenhanced font sprintf("%s,%d",font,0.5+fs*1) tc rgb mut
set label 903 "MiB" at graph 0, graph 1 offset character -1.2,character 1.05 right tc rgb mut
set label 904 "elapsed" at graph 1.011, graph 0 offset 0,character -1.12 left tc rgb mut
set lmargin screen px(79); set rmargin screen 1-px(168)
set tmargin screen py(122); set bmargin screen 1-py(60)
set xrange [0:11.125]; set yrange [0:1329.96]; set ytics 256
set xtics format "%g s" 2
limit = 1187.46
set samples 2
set label 1 "limit of 2 nodes 1187 MiB" at graph 0.008, first limit offset 0,character 0.75 left noenhanced tc rgb lim front
set label 1000 "rank 0" at 10.0125, first 49.998 center noenhanced font sprintf("%s,%d",font,0.5+fs*0.8) tc rgb ink[1] front
set label 1001 "rank 1" at 10.0125, first 158.744 center noenhanced font sprintf("%s,%d",font,0.5+fs*0.8) tc rgb ink[2] front
set label 1002 "rank 2" at 10.0125, first 272.49 center noenhanced font sprintf("%s,%d",font,0.5+fs*0.8) tc rgb ink[3] front
set label 1003 "rank 3" at 10.0125, first 384.986 center noenhanced font sprintf("%s,%d",font,0.5+fs*0.8) tc rgb ink[4] front
set label 1004 "rank 4" at 10.0125, first 502.482 center noenhanced font sprintf("%s,%d",font,0.5+fs*0.8) tc rgb ink[5] front
set label 1005 "rank 5" at 10.0125, first 624.978 center noenhanced font sprintf("%s,%d",font,0.5+fs*0.8) tc rgb ink[6] front
set label 1006 "rank 6" at 10.0125, first 752.474 center noenhanced font sprintf("%s,%d",font,0.5+fs*0.8) tc rgb ink[7] front
set label 1007 "rank 7" at 10.0125, first 867.47 center noenhanced font sprintf("%s,%d",font,0.5+fs*0.8) tc rgb ink[8] front
set arrow 33 from graph 1.008, first 2.67059 to graph 1.008, first 218.579 nohead lw 3.5 lc rgb shade[4]
set label 2003 "n01" at graph 1, first 110.625 offset character 2.2,0 left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*0.92) tc rgb fg
set label 3003 "221 MiB at the end" at graph 1, first 110.625 offset character 2.2,character -1.2 left font sprintf("%s,%d",font,0.5+fs*0.8) tc rgb mut
set arrow 37 from graph 1.008, first 223.921 to graph 1.008, first 456.079 nohead lw 3.5 lc rgb shade[8]
set label 2007 "n02" at graph 1, first 340 offset character 2.2,0 left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*0.92) tc rgb fg
set label 3007 "238 MiB at the end" at graph 1, first 340 offset character 2.2,character -1.2 left font sprintf("%s,%d",font,0.5+fs*0.8) tc rgb mut
plot "+" using 1:(limit):(limit*1e3) with filledcurves fc rgb band fs solid noborder, limit with lines lw 1.4 dt (8,5) lc rgb lim, \
     for [k=8:1:-1] $layers using 1:k+1 with fillsteps fc rgb shade[k] fs solid noborder, \
     for [k=8:1:-1] $layers using 1:k+1 with steps lw 0.6 lc rgb bg, \
     $layers using 1:9 with steps lw 1.6 lc rgb fg
# what is zoomed into has tics of its own
if (window) { set xtics autofreq; set ytics autofreq }
if (window) { pause mouse close }
set output
