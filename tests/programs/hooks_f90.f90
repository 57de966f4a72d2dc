! use mpi: calls that the program counts itself, in phases of memlog.f90.
program hooks
    use mpi
    use memlog
    implicit none
    integer :: rank, nranks, i, total, buf(8), ierr
    integer :: stat(MPI_STATUS_SIZE)
    integer :: req
    integer :: comm
    logical :: flag

    call MPI_Init(ierr)
    call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
    call MPI_Comm_size(MPI_COMM_WORLD, nranks, ierr)
    call memlog_region_begin('ring')
    do i = 1, 40
        call MPI_Irecv(buf, 8, MPI_INTEGER, modulo(rank - 1, nranks), 1, MPI_COMM_WORLD, req, ierr)
        call MPI_Send(i, 1, MPI_INTEGER, modulo(rank + 1, nranks), 1, MPI_COMM_WORLD, ierr)
        call MPI_Wait(req, stat, ierr)
        call MPI_Iprobe(MPI_ANY_SOURCE, 2, MPI_COMM_WORLD, flag, stat, ierr)
    end do
    call memlog_region_end('ring')
    do i = 1, 40
        call MPI_Allreduce(rank, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierr)
    end do
    call MPI_Allreduce(MPI_IN_PLACE, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierr)
    call memlog_mark('sums are done')
    call MPI_Comm_dup(MPI_COMM_WORLD, comm, ierr)
    call MPI_Barrier(comm, ierr)
    call MPI_Comm_free(comm, ierr)
    write (*, '(a,i0,a)') 'rank ', rank, ': {"MPI_Init": [1, 0, 0], "MPI_Irecv": [40, 0, 0], ' // &
        '"MPI_Send": [40, 40, 160], "MPI_Wait": [40, 0, 0], "MPI_Allreduce": [41, 0, 164], ' // &
        '"MPI_Iprobe": [40, 0, 0], "MPI_Comm_dup": [1, 0, 0], "MPI_Barrier": [1, 0, 0], ' // &
        '"MPI_Comm_free": [1, 0, 0], "MPI_Finalize": [1, 0, 0]}'
    flush (6)
    call MPI_Finalize(ierr)
end program hooks
