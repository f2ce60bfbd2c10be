using CloudPeer.Sync.Relay;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Accounts;

/// <summary>An account that rents storage here (docs/protocol/sync.md §1.1).</summary>
internal sealed class Tenant
{
    /// <summary>The plan of every account while payments are off.</summary>
    public const string LocalPlan = "local";

    public required AccountId Account { get; init; }

    /// <summary>The account's device, which its card proves; a device belongs to one account.</summary>
    public required PeerId Device { get; init; }

    public required byte[] Card { get; set; }
    public required long KemGeneration { get; set; }

    /// <summary>The app that brought the user, if it said so.</summary>
    public required string? AppId { get; init; }

    public required string Plan { get; init; }

    /// <summary>What it may do now: <see cref="TenantStateText"/>.</summary>
    public string State { get; set; } = TenantState.Active.ToText();

    public required long CreatedMicros { get; init; }
}

internal sealed class TenantConfiguration : IEntityTypeConfiguration<Tenant>
{
    public void Configure(EntityTypeBuilder<Tenant> builder)
    {
        builder.ToTable("tenant").HasKey(tenant => tenant.Account);
        builder.Property(tenant => tenant.Account).HasColumnName("account");
        builder.Property(tenant => tenant.Device).HasColumnName("device");
        builder.Property(tenant => tenant.Card).HasColumnName("card");
        builder.Property(tenant => tenant.KemGeneration).HasColumnName("kem_generation");
        builder.Property(tenant => tenant.AppId).HasColumnName("app_id");
        builder.Property(tenant => tenant.Plan).HasColumnName("plan");
        builder.Property(tenant => tenant.State).HasColumnName("state");
        builder.Property(tenant => tenant.CreatedMicros).HasColumnName("created_micros");
    }
}
