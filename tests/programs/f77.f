C     MPI by mpif.h: rank, size and a sum.
      program f77
      implicit none
      include 'mpif.h'
      integer rank, nranks, total, ierr
      call MPI_INIT(ierr)
      call MPI_COMM_RANK(MPI_COMM_WORLD, rank, ierr)
      call MPI_COMM_SIZE(MPI_COMM_WORLD, nranks, ierr)
      call MPI_ALLREDUCE(rank, total, 1, MPI_INTEGER, MPI_SUM,
     &                   MPI_COMM_WORLD, ierr)
      write (*, '(a,i0,a,i0,a,i0)') 'rank ', rank, ': mpif.h, one of ',
     &                              nranks, ', sum ', total
      call flush(6)
      call MPI_FINALIZE(ierr)
      end
