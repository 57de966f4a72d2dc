! MPI by its Fortran 2008 module: rank, size and a sum.
program f08
    use mpi_f08
    implicit none
    integer :: rank, nranks, total
    call MPI_Init()
    call MPI_Comm_rank(MPI_COMM_WORLD, rank)
    call MPI_Comm_size(MPI_COMM_WORLD, nranks)
    call MPI_Allreduce(rank, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD)
    write (*, '(a,i0,a,i0,a,i0)') 'rank ', rank, ': use mpi_f08, one of ', nranks, ', sum ', total
    flush (6)
    call MPI_Finalize()
end program f08
