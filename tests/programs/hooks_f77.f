C     mpif.h: calls that the program counts itself.
      program hooks
      implicit none
      include 'mpif.h'
      integer rank, nranks, ierr, i, total, req, buf(8)
      integer stat(MPI_STATUS_SIZE), comm
      logical flag
      call MPI_INIT(ierr)
      call MPI_COMM_RANK(MPI_COMM_WORLD, rank, ierr)
      call MPI_COMM_SIZE(MPI_COMM_WORLD, nranks, ierr)
      do 10 i = 1, 40
        call MPI_IRECV(buf, 8, MPI_INTEGER, mod(rank + nranks - 1,
     &                 nranks), 1, MPI_COMM_WORLD, req, ierr)
        call MPI_SEND(i, 1, MPI_INTEGER, mod(rank + 1, nranks), 1,
     &                MPI_COMM_WORLD, ierr)
        call MPI_WAIT(req, stat, ierr)
        call MPI_ALLREDUCE(rank, total, 1, MPI_INTEGER, MPI_SUM,
     &                     MPI_COMM_WORLD, ierr)
        call MPI_IPROBE(MPI_ANY_SOURCE, 2, MPI_COMM_WORLD, flag, stat,
     &                  ierr)
   10 continue
      call MPI_ALLREDUCE(MPI_IN_PLACE, total, 1, MPI_INTEGER, MPI_SUM,
     &                   MPI_COMM_WORLD, ierr)
      call MPI_COMM_DUP(MPI_COMM_WORLD, comm, ierr)
      call MPI_BARRIER(comm, ierr)
      call MPI_COMM_FREE(comm, ierr)
      call MPI_PCONTROL(1)
      write (*, '(a,i0,a)') 'rank ', rank, ': {"MPI_Init": [1, 0, 0], '
     &  // '"MPI_Irecv": [40, 0, 0], "MPI_Send": [40, 40, 160], '
     &  // '"MPI_Wait": [40, 0, 0], "MPI_Allreduce": [41, 0, 164], '
     &  // '"MPI_Iprobe": [40, 0, 0], "MPI_Comm_dup": [1, 0, 0], '
     &  // '"MPI_Barrier": [1, 0, 0], "MPI_Comm_free": [1, 0, 0], '
     &  // '"MPI_Pcontrol": [1, 0, 0], "MPI_Finalize": [1, 0, 0]}'
      call flush(6)
      call MPI_FINALIZE(ierr)
      end
