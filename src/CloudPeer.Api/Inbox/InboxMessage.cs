using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Inbox;

/// <summary>A sealed message that waits for its recipient (docs/protocol/sync.md §4).</summary>
internal sealed class InboxMessage
{
    /// <summary>The order of arrival.</summary>
    public long Number { get; init; }

    public required AccountId Account { get; init; }
    public required MessageId Id { get; init; }

    /// <summary>Whose session brought it; the message itself does not say who wrote it.</summary>
    public required PeerId Sender { get; init; }

    /// <summary>True if the sender presented the account's delivery token.</summary>
    public required bool IsContact { get; init; }

    public required byte[] Bytes { get; init; }
    public required long ReceivedMicros { get; init; }
}

internal sealed class InboxMessageConfiguration : IEntityTypeConfiguration<InboxMessage>
{
    public void Configure(EntityTypeBuilder<InboxMessage> builder)
    {
        builder.ToTable("inbox_message").HasKey(message => message.Number);
        builder.Property(message => message.Number).HasColumnName("number").ValueGeneratedOnAdd();
        builder.Property(message => message.Account).HasColumnName("account");
        builder.Property(message => message.Id).HasColumnName("message");
        builder.Property(message => message.Sender).HasColumnName("sender");
        builder.Property(message => message.IsContact).HasColumnName("contact");
        builder.Property(message => message.Bytes).HasColumnName("bytes");
        builder.Property(message => message.ReceivedMicros).HasColumnName("received_micros");
    }
}
