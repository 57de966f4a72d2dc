! MPI by its Fortran 90 module: rank, size and a sum.
program f90
    use mpi
    implicit none
    integer :: rank, nranks, total, ierr
    call MPI_Init(ierr)
    call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
    call MPI_Comm_size(MPI_COMM_WORLD, nranks, ierr)
    call MPI_Allreduce(rank, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierr)
    write (*, '(a,i0,a,i0,a,i0)') 'rank ', rank, ': use mpi, one of ', nranks, ', sum ', total
    flush (6)
    call MPI_Finalize(ierr)
end program f90
