using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Data;

/// <summary>Whose database this is: receipts and heads in it are signed with that server's key.</summary>
internal sealed class ServerRow
{
    public required PeerId Peer { get; init; }
}

internal sealed class ServerRowConfiguration : IEntityTypeConfiguration<ServerRow>
{
    public void Configure(EntityTypeBuilder<ServerRow> builder)
    {
        builder.ToTable("server").HasKey(row => row.Peer);
        builder.Property(row => row.Peer).HasColumnName("peer");
    }
}
