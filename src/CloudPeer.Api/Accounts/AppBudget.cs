using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Accounts;

/// <summary>How much the documents of one app may fill of an account's storage (docs/protocol/sync.md §6.2).</summary>
internal sealed class AppBudget
{
    public required AccountId Account { get; init; }
    public required string AppId { get; init; }
    public required long LimitBytes { get; set; }
}

internal sealed class AppBudgetConfiguration : IEntityTypeConfiguration<AppBudget>
{
    public void Configure(EntityTypeBuilder<AppBudget> builder)
    {
        builder.ToTable("app_budget").HasKey(budget => new { budget.Account, budget.AppId });
        builder.Property(budget => budget.Account).HasColumnName("account");
        builder.Property(budget => budget.AppId).HasColumnName("app_id");
        builder.Property(budget => budget.LimitBytes).HasColumnName("limit_bytes");
    }
}
