#!/usr/bin/env gnuplot
# Written by memlog plot, for gnuplot 5.2 or newer.
if (!exists("dark")) dark = 0
if (!exists("wide")) wide = 1200
if (!exists("high")) high = 680
if (!exists("scale")) scale = 2
zoom = 1; hues = "default"; tex = 0
name = "memlog: "."Resident memory, node by node"
# (preamble.gp)
set label 901 "Resident memory, node by node" at screen px(24), screen py(36) left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*1.5) tc rgb fg
set label 902 "./solver -i core.i   |   2 nodes, 8 ranks   |   bold: node, thin: ranks, dashed: limit" at screen px(24), screen py(71) left noenhanced font sprintf("%s,%d",font,0.5+fs*1) tc rgb mut
set samples 2; limit = 593.73
set xtics format "%g s" 2
set multiplot
set mxtics 1; set xtics scale 0.4
set xrange [0:11.125]; set yrange [0:664.978]
x0 = px(60); y1 = py(136); gapx = px(20); gapy = 1-py(46)
pw = px(548); ph = 1-py(484)
$node1 << EOD
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
$rank1 << EOD
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
$rank2 << EOD
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
$rank3 << EOD
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
$rank4 << EOD
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
set lmargin screen x0+0*(pw+gapx); set rmargin screen x0+0*(pw+gapx)+pw
set tmargin screen y1-0*(ph+gapy); set bmargin screen y1-0*(ph+gapy)-ph
set ytics format "%g"; set ytics 128; set xtics format "%g s"
set label 13 "MiB" at graph 0, graph 1 offset character -1,character 0.8 right font sprintf("%s,%d",font,0.5+fs*0.85) tc rgb mut
here = col(1); set label 11 "n01" at graph 0, graph 1 offset 0,character 0.8 left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*0.92) tc rgb fg
set label 12 "peak 442 MiB" at graph 1, graph 1 offset 0,character 0.8 right font sprintf("%s,%d",font,0.5+fs*0.85) tc rgb mut
plot "+" using 1:(limit):(limit*1e3) with filledcurves fc rgb band fs solid noborder, limit with lines lw 1 dt (14,9) lc rgb lim, for [k=1:4] sprintf("$rank%d",k) using 1:2 with steps lw 0.7 lc rgb thin, $node1 using 1:2 with fillsteps fc rgb here fs transparent solid 0.10 noborder, $node1 using 1:2 with steps lw 1.8 lc rgb here
$node2 << EOD
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
$rank1 << EOD
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
$rank2 << EOD
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
$rank3 << EOD
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
$rank4 << EOD
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
set lmargin screen x0+1*(pw+gapx); set rmargin screen x0+1*(pw+gapx)+pw
set tmargin screen y1-0*(ph+gapy); set bmargin screen y1-0*(ph+gapy)-ph
set ytics format ""; set ytics 128; set xtics format "%g s"
unset label 901; unset label 902; unset label 13
here = col(1); set label 11 "n02" at graph 0, graph 1 offset 0,character 0.8 left noenhanced font sprintf("%s%s,%d",font,bold,0.5+fs*0.92) tc rgb fg
set label 12 "peak 475 MiB" at graph 1, graph 1 offset 0,character 0.8 right font sprintf("%s,%d",font,0.5+fs*0.85) tc rgb mut
plot "+" using 1:(limit):(limit*1e3) with filledcurves fc rgb band fs solid noborder, limit with lines lw 1 dt (14,9) lc rgb lim, for [k=1:4] sprintf("$rank%d",k) using 1:2 with steps lw 0.7 lc rgb thin, $node2 using 1:2 with fillsteps fc rgb here fs transparent solid 0.10 noborder, $node2 using 1:2 with steps lw 1.8 lc rgb here
unset multiplot
if (window) { pause mouse close }
set output
