using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Inbox;

/// <summary>What is known of an account with an inbox besides the messages.</summary>
internal sealed class InboxOwner
{
    public required AccountId Account { get; init; }

    /// <summary>How often something was sent to it; the row that senders lock.</summary>
    public long Received { get; init; }

    /// <summary>The hash of what contacts present, or null while there are none.</summary>
    public byte[]? TokenHash { get; init; }

    /// <summary>When the device said so, by its own clock.</summary>
    public long TokenMicros { get; init; }
}

internal sealed class InboxOwnerConfiguration : IEntityTypeConfiguration<InboxOwner>
{
    public void Configure(EntityTypeBuilder<InboxOwner> builder)
    {
        builder.ToTable("inbox").HasKey(owner => owner.Account);
        builder.Property(owner => owner.Account).HasColumnName("account");
        builder.Property(owner => owner.Received).HasColumnName("received");
        builder.Property(owner => owner.TokenHash).HasColumnName("token_hash");
        builder.Property(owner => owner.TokenMicros).HasColumnName("token_micros");
    }
}
