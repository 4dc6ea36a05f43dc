/**
 * The event names of the original catalogue, grouped as it grouped them. Each is a name or an alias of the dictionary;
 * meals are dish rankings here, goals ranking targets, water check-ins, quests tasting challenges, AI insights.
 */
export const EVENT_CATEGORIES = {
  USER_EVENTS: {
    USER_REGISTERED: 'user.registered',
    USER_PROFILE_UPDATED: 'user.profile.updated',
    USER_LEVEL_UP: 'user.level.up',
    USER_ACHIEVEMENT_UNLOCKED: 'user.achievement.unlocked',
    USER_STREAK_MILESTONE: 'user.streak.milestone',
  },
  NUTRITION_EVENTS: {
    MEAL_LOGGED: 'nutrition.meal.logged',
    MEAL_UPDATED: 'nutrition.meal.updated',
    MEAL_DELETED: 'nutrition.meal.deleted',
    NUTRITION_GOAL_MET: 'nutrition.goal.met',
    NUTRITION_GOAL_UPDATED: 'nutrition.goal.updated',
    WATER_INTAKE_LOGGED: 'nutrition.water.logged',
  },
  QUEST_EVENTS: {
    QUEST_STARTED: 'quest.started',
    QUEST_COMPLETED: 'quest.completed',
    QUEST_FAILED: 'quest.failed',
    QUEST_UPDATED: 'quest.updated',
    QUEST_REWARD_CLAIMED: 'quest.reward.claimed',
  },
  AI_EVENTS: {
    AI_QUERY_RECEIVED: 'ai.query.received',
    AI_RESPONSE_GENERATED: 'ai.response.generated',
    AI_INSIGHT_CREATED: 'ai.insight.created',
    AI_RECOMMENDATION_GIVEN: 'ai.recommendation.given',
    AI_FEEDBACK_RECEIVED: 'ai.feedback.received',
  },
  SOCIAL_EVENTS: {
    FRIEND_REQUEST_SENT: 'social.friend.request.sent',
    FRIEND_REQUEST_ACCEPTED: 'social.friend.request.accepted',
    FRIEND_REQUEST_DECLINED: 'social.friend.request.declined',
    POST_CREATED: 'social.post.created',
    POST_LIKED: 'social.post.liked',
    POST_COMMENTED: 'social.post.commented',
  },
  SYSTEM_EVENTS: {
    CACHE_INVALIDATED: 'system.cache.invalidated',
    CACHE_PRELOADED: 'system.cache.preloaded',
    DATABASE_BACKUP_COMPLETED: 'system.database.backup.completed',
    SYSTEM_MAINTENANCE_STARTED: 'system.maintenance.started',
    SYSTEM_MAINTENANCE_COMPLETED: 'system.maintenance.completed',
  },
} as const
